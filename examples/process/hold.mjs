// The controller of hold.py in JavaScript: npm install, then `controller = "process:node examples/process/hold.mjs"`.
import { decode, encode } from "@msgpack/msgpack";
import { Reply, curveKeyPair } from "zeromq";

const [kp, kd, limit] = [4.0, 3.5, 6.0];

function act({ robot, time, sensed, reference }) {
  if (sensed === null) return { command: null, messages: [], log: {} };
  const { position, velocity } = sensed.values;
  const command = [0, 1, 2].map((i) => {
    const error = reference.position[i] - position[i];
    const wanted = reference.acceleration[i] + kp * error + kd * (reference.velocity[i] - velocity[i]);
    return Math.min(Math.max(wanted, -limit), limit);
  });
  return { command: [...command, reference.yaw], messages: [], log: { age: (time - sensed.time) / 1e9 } };
}

const socket = new Reply({ linger: 1000 });
if (process.env.TWIN_ADDRESS) {
  // twin started us and waits there; only who knows its key is let in
  const { publicKey, secretKey } = curveKeyPair();
  socket.curveServerKey = process.env.TWIN_KEY;
  socket.curvePublicKey = publicKey;
  socket.curveSecretKey = secretKey;
  socket.connect(process.env.TWIN_ADDRESS);
} else await socket.bind(process.argv[2] ?? "tcp://127.0.0.1:5555");

for await (const [bytes] of socket) {
  const request = decode(bytes);
  let reply = { type: "closed" };
  if (request.type === "reset") reply = { type: "ready", version: 1 };
  if (request.type === "act")
    reply = { type: "actions", step: request.step, actions: request.observations.map(act) };
  await socket.send(encode(reply, { forceIntegerToFloat: true })); // without it, -0 would lose its sign
  if (request.type === "close" && process.env.TWIN_ADDRESS) break;
}
socket.close();
