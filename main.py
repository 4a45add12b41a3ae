"""What each visit runs first."""

from dashboard.navigation import navigate

navigate().run()
