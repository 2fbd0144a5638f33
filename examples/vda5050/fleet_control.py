"""A fleet control in one file: whenever a vehicle is idle, send it to and fro over the hall's aisles by VDA 5050.

    mosquitto &
    python fleet_control.py &
    twin run tour.toml --set robots.carrier.controller=vda5050:mqtt://127.0.0.1:1883

It needs paho-mqtt. A real fleet control (openTCS, say) takes its place: twin only knows the messages.
"""

import argparse
import json
from datetime import UTC, datetime

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

FAR = 8.0  # m along the aisle


def order(vehicle, state, number):
    """Return an order from where the vehicle stands along the aisle, or back."""
    x, y, here = state["agvPosition"]["x"], state["agvPosition"]["y"], state["agvPosition"]["mapId"]
    places = [("start", x, y), ("end", FAR if x < FAR / 2 else 0.0, y)]
    nodes = [{"nodeId": name, "sequenceId": 2 * i, "released": True, "actions": [],
              "nodePosition": {"x": px, "y": py, "mapId": here, "allowedDeviationXY": 0.3}}
             for i, (name, px, py) in enumerate(places)]  # fmt: skip
    edge = {"edgeId": "aisle", "sequenceId": 1, "released": True, "actions": [], "maxSpeed": 1.0,
            "startNodeId": "start", "endNodeId": "end"}  # fmt: skip
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"headerId": number, "timestamp": now, "version": "2.0.0", "manufacturer": state["manufacturer"],
            "serialNumber": vehicle, "orderId": f"tour {number}", "orderUpdateId": 0, "nodes": nodes,
            "edges": [edge]}  # fmt: skip


def main():
    """Answer the states of all vehicles until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    arguments = parser.parse_args()
    served = {}  # vehicle -> number of orders, and the id of the one that ended last

    def hear(client, data, message):
        state, (topic, _) = json.loads(message.payload), message.topic.rsplit("/", 1)
        vehicle = state["serialNumber"]
        number, ended = served.get(vehicle, (0, None))
        if state["nodeStates"] or state["orderId"] == ended:
            return
        served[vehicle] = number + 1, state["orderId"]
        client.publish(f"{topic}/order", json.dumps(order(vehicle, state, number)))
        print(f"{vehicle}: order {number} from x = {state['agvPosition']['x']:.1f} m", flush=True)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("uagv/v2/+/+/state")
    client.on_message = hear
    client.on_subscribe = lambda *_: print("listening", flush=True)
    client.connect(arguments.host, arguments.port)
    client.loop_forever()


if __name__ == "__main__":
    main()
