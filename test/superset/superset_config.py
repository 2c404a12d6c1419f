# A Superset for the test: its own data in SQLite below the working directory, no caches, no
# secrets worth keeping.
import os

WORK = os.environ["SUPERSET_HOME"]
SECRET_KEY = "only for a test that lasts some minutes"
SQLALCHEMY_DATABASE_URI = f"sqlite:///{WORK}/superset.db"
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
# over http on this machine
TALISMAN_ENABLED = False
SESSION_COOKIE_SECURE = False
# as it is on a real one: import.py has to bring the token
WTF_CSRF_ENABLED = True
