"""What scenarios of faults share."""

from tests.faults.installations import installation

__all__ = ["installation"]
