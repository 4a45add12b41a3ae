"""What each visit runs first."""

from dashboard import address
from dashboard.navigation import navigate
from dashboard.visit import note_life

page = navigate()
note_life()
page.run()
address.finish()
