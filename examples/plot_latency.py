"""Plot how long packets were under way, by direction, from a run's table of packets."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import twin

with twin.run("city/patrol", duration="5 s") as run:
    packets = run.packets[run.packets.fate == "delivered"]

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for kind, rows in packets.groupby("kind"):
    axes.ecdf(rows.latency * 1e3, label=f"{kind}, median {rows.latency.median() * 1e3:.2f} ms")
axes.set(xlabel="latency (ms)", ylabel="share of packets", title="city/patrol over 5G NR")
axes.legend(frameon=False)
figure.savefig("latency.png", dpi=120)
print(f"latency.png: {len(packets)} packets")
