"""What each visit runs first."""

from streamlit.runtime.scriptrunner import StopException

from dashboard import address
from dashboard.navigation import navigate

page = navigate()
try:
    page.run()
except StopException:
    address.finish()
    raise
address.finish()
