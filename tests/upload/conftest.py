"""Files are read in the test's process: that another does it is tested with imaging."""

from tests.imaging.conftest import reads_here  # noqa: F401 - a fixture
