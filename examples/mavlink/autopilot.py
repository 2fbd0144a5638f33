"""An autopilot in one file: it hears HIL messages over MAVLink 2, and answers with motor setpoints that hold the place.

    twin run examples/mavlink/hold.toml &
    python examples/mavlink/autopilot.py

A real one (PX4, say) takes its place: to twin it is whoever connects and answers. It needs pymavlink, scipy and numpy.
"""

import argparse
import os
import socket
import time
from math import cos, radians

os.environ["MAVLINK20"] = "1"  # pymavlink speaks version 1 otherwise

import numpy as np
from pymavlink.dialects.v20 import common as mavlink
from scipy.spatial.transform import Rotation

MASS, GRAVITY, EARTH = 1.0, 9.81, 6_371_000.0
INERTIA = np.array([0.0082, 0.0082, 0.0148])  # kg m2
PLACES = 0.16 * np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])  # m; forward, right: PX4's order of a quad x
SENSES = np.array([1, 1, -1, -1])  # of the body's yaw, by each rotor's reaction
MOST, TORQUE = 1e-5 * 750.0**2, 0.016  # N of one rotor at full speed, m of torque per thrust
# Thrust, roll, pitch and yaw of the body by each rotor's thrust, turned round:
MIXER = np.linalg.inv(np.array([np.ones(4), -PLACES[:, 1], PLACES[:, 0], TORQUE * SENSES]))
HEADING = 90.0  # degrees from north


class Hold:
    """Holds the first place that it hears of: position -> attitude -> rates -> motors; axes north, east, down."""

    def __init__(self) -> None:
        self.home = None

    def motors(self, state):
        """Return each motor's speed over its highest one, from a HIL_STATE_QUATERNION."""
        velocity, rates = np.array([state.vx, state.vy, state.vz]) / 100.0, self._rates(state)
        w, x, y, z = state.attitude_quaternion
        body = Rotation.from_quat([x, y, z, w]).as_matrix()
        wanted = np.clip(-2.0 * self._away(state) - 2.5 * velocity, -4.0, 4.0) - [0.0, 0.0, GRAVITY]
        error = self._attitude_error(wanted, body)
        turn = INERTIA * np.array([20.0, 20.0, 8.0]) * (np.array([-8.0, -8.0, -3.0]) * error - rates)
        thrust = max(0.0, -MASS * wanted @ body[:, 2])
        lift = MIXER @ [thrust, *turn]
        return np.sqrt(np.clip(lift / MOST, 0.0, 1.0))

    def _away(self, state):
        here = np.array([state.lat, state.lon, state.alt])
        self.home = here if self.home is None else self.home
        north, east = np.radians((here - self.home)[:2] / 1e7) * EARTH
        return np.array([north, east * cos(radians(state.lat / 1e7)), -(here - self.home)[2] / 1e3])

    @staticmethod
    def _rates(state):
        return np.array([state.rollspeed, state.pitchspeed, state.yawspeed])

    @staticmethod
    def _attitude_error(force, body):
        down = -force / np.linalg.norm(force)
        right = np.cross(down, [np.cos(np.radians(HEADING)), np.sin(np.radians(HEADING)), 0.0])
        right /= np.linalg.norm(right)
        wanted = np.column_stack([np.cross(right, down), right, down])
        skew = wanted.T @ body - body.T @ wanted
        return 0.5 * np.array([skew[2, 1], skew[0, 2], skew[1, 0]])


def connect(host, port, patience=30.0):
    """Return a connection to twin, which may still be on its way."""
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection((host, port), timeout=patience)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def main():
    """Answer each HIL_SENSOR until twin hangs up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4560)
    parser.add_argument("--key", help="file of 64 hexadecimal digits: sign packets, and take signed ones only")
    arguments = parser.parse_args()
    with connect(arguments.host, arguments.port) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link, hold, state = mavlink.MAVLink(None, srcSystem=1, srcComponent=1), Hold(), None
        if arguments.key:
            link.signing.secret_key, link.signing.sign_outgoing = bytes.fromhex(open(arguments.key).read()), True
            link.signing.timestamp = int((time.time() - 1_420_070_400) * 100_000)  # 10 us since 2015
        while data := line.recv(65_536):
            for message in link.parse_buffer(data) or []:
                if message.get_type() == "HIL_STATE_QUATERNION":
                    state = message
                elif message.get_type() == "HIL_SENSOR":
                    controls = [*hold.motors(state).tolist(), *[0.0] * 12]
                    armed = mavlink.MAV_MODE_FLAG_SAFETY_ARMED | mavlink.MAV_MODE_FLAG_HIL_ENABLED
                    answer = mavlink.MAVLink_hil_actuator_controls_message(message.time_usec, controls, armed, 1)
                    line.sendall(answer.pack(link))
                    link.seq = (link.seq + 1) % 256


if __name__ == "__main__":
    main()
