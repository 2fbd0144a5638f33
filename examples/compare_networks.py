"""The same flight over several networks: what does delay do to tracking?"""

import twin

NETWORKS = {
    "ideal": {"network.kind": "ideal"},
    "fixed, 20 ms each way": {"network.kind": "fixed", "network.delay": "20 ms"},
    "fixed, 120 ms each way": {"network.kind": "fixed", "network.delay": "120 ms"},
    "simple": {"network.kind": "simple"},
    "nr, as the scenario has it": {},
}

print(f"{'network':27} {'round trip':>12} {'tracking':>10}  verdict")
for name, changes in NETWORKS.items():
    with twin.run("city/patrol", changes, seed=3, duration="10 s") as run:
        trip, error = run.figures["rtt_p50"] * 1e3, run.figures["tracking_rms"]
        print(f"{name:27} {trip:9.1f} ms {error:8.3f} m  {run.verdict}")
