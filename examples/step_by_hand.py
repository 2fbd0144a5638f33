"""Step a twin by hand, with own code between ticks: where is each drone's link at its worst?"""

import numpy as np

import twin

built = twin.build("city/patrol", duration="10 s")
owner = np.array([radio.owner for radio in built.radios])
drones = {index: node for index, node in enumerate(built.nodes) if node.body >= 0}
worst = {node.name: (np.inf, 0.0, np.zeros(3)) for node in drones.values()}

for frame in built.frames():
    if frame.links.time != frame.time:
        continue  # the channel is traced at a lower rate than physics steps
    for index, node in drones.items():
        mine = (owner[frame.links.a] == index) | (owner[frame.links.b] == index)
        best = frame.links.path_gain_db[mine].max()  # of the masts that it could use
        if best < worst[node.name][0]:
            worst[node.name] = (best, frame.time / 1e9, frame.bodies.position[node.body].copy())

for name, (gain, time, (x, y, z)) in worst.items():
    print(f"{name}: {gain:.1f} dB at {time:.2f} s, at ({x:.0f}, {y:.0f}, {z:.0f}) m")
