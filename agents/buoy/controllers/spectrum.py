"""Measure the waves on board and report their spectrum."""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy.signal import welch

from twin.controller import F64, NS, Action, Bytes, DurationNs, Message, Observation, RobotSpec, Spec


class Spectrum:
    """Every `window` sends the spectral density of heave over that window, by Welch's method with Hann windows.

    Heave is taken for the wave, as it is for waves much longer than the buoy's own period.
    """

    runs_on = "onboard"

    class Parameters(Spec):
        """Whom to report to, how often, and how large a report is."""

        to: str | None = None  # a node; None: only log
        window: DurationNs = Field(default=120 * NS, gt=0)
        segments: int = Field(default=4, ge=1)  # of a window, not counting the overlapping ones
        size: Bytes = 340  # a satellite message, as real wave buoys send it

    def reset(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        """Forget the waves."""
        self.parameters = spec.parameters or self.Parameters()
        self.times: list[int] = []
        self.heave: list[float] = []

    def act(self, observation: Observation) -> Action:
        """Take in one sample; report at the end of each window."""
        sensed = observation.sensed
        if sensed is None:
            return Action()
        self.times.append(sensed.time)
        self.heave.append(float(sensed["position"][2]))
        if sensed.time - self.times[0] < self.parameters.window or len(self.times) < 16:
            return Action()
        frequency, density = self._spectrum()
        self.times.clear()
        self.heave.clear()
        height = 4.0 * float(np.sqrt(np.sum(density) * frequency[1]))
        peak = 1.0 / float(frequency[1:][np.argmax(density[1:])])
        to, report = self.parameters.to, np.array([frequency, density])
        messages = () if to is None else (Message(to, report, self.parameters.size, "spectrum"),)
        return Action(messages=messages, log={"significant_height": height, "peak_period": peak})

    def _spectrum(self) -> tuple[F64, F64]:
        rate = (len(self.times) - 1) * NS / (self.times[-1] - self.times[0])
        return welch(np.array(self.heave), rate, nperseg=len(self.heave) // self.parameters.segments)  # type: ignore[no-any-return]
