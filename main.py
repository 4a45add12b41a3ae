"""What each visit runs first."""

from streamlit.runtime.scriptrunner import StopException

from dashboard import address
from dashboard.navigation import navigate
from dashboard.visit import note_life

page = navigate()
note_life()
try:
    page.run()
except StopException:
    address.finish()
    raise
address.finish()
