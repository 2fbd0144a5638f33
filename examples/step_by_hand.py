"""Step a twin by hand, with own code between ticks: when does a drone lose sight of every mast?"""

import numpy as np

import twin

built = twin.build("city/patrol", duration="10 s")
owner = np.array([radio.owner for radio in built.radios])
hidden = {node.name: 0.0 for node in built.nodes if node.body >= 0}  # s
traced = 0

for frame in built.frames():
    if frame.links.time == traced:
        continue  # the channel is traced at a lower rate than physics steps
    elapsed, traced = (frame.links.time - traced) / 1e9, frame.links.time
    for index, node in enumerate(built.nodes):
        mine = (owner[frame.links.a] == index) | (owner[frame.links.b] == index)
        if node.name in hidden and not frame.links.los[mine].any():
            hidden[node.name] += elapsed

for name, seconds in hidden.items():
    print(f"{name}: {seconds:.2f} s of {frame.time / 1e9:g} s without a line of sight")
