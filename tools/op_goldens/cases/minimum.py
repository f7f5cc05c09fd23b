"""MINIMUM, with and without broadcasting: all three tensors have one scale."""

from cases import maximum


def cases():
    return maximum.cases_of("minimum", "MINIMUM")
