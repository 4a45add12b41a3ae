"""Layouts of cohorts other than CheXpert's: a module each, which knows what lies where and what it means."""
