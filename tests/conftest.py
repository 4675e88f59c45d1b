"""Fixtures of several files."""

import signal

import pytest


@pytest.fixture
def alarm():
    """Give a function that sends this process Ctrl-C after some seconds."""
    if not hasattr(signal, "SIGALRM"):
        pytest.skip("needs SIGALRM")
    on_interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    on_alarm = signal.signal(
        signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT)
    )
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGINT, on_interrupt)
    signal.signal(signal.SIGALRM, on_alarm)


@pytest.fixture
def agg():
    """Draw without a screen, and leave neither figures nor another backend behind."""
    import matplotlib
    from matplotlib import pyplot as plt

    before = matplotlib.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)
