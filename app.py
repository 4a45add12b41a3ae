"""The dashboard's entry: ``streamlit run app.py -- --run DIR``."""

from dashboard.navigation import navigate

navigate().run()
