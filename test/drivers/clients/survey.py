"""What every client in Python reports, beside the example of the manual: see drivers.sh."""
import os
import sys

sys.stdout.reconfigure(encoding="utf-8", newline="\n")


def report(kind, *fields):
    print(kind, *fields, sep="\t")


def script(name):
    with open(os.path.join(os.environ["DRIVERS"], name), encoding="utf-8") as file:
        return file.read()


def keys(rows):
    return ",".join(str(row[0]) for row in rows)


def called(user, visitor, cart, shown, clicked):
    for name, rows in (("user", user), ("visitor", visitor), ("cart", cart), ("shown", shown)):
        report("called", name, keys(rows))
    # psqlODBC reads a boolean as text, if it is not told otherwise
    report("called", "clicked", str(clicked in (True, "1")).lower())


def connected(ask):
    report("connected", *ask("SELECT current_user::text, current_database()::text")[0])


def listed(ask):
    for row in ask(script("listing.sql")):
        report(*row)


def read(ask):
    """ask(sql) returns all rows of a statement without parameters"""
    with open("views", encoding="utf-8") as views:
        for view in views.read().split():
            rows = ask("SELECT * FROM " + view)
            report("read", view, len(rows), sum(value is not None for row in rows for value in row))


def typed(ask):
    row = ask(script("types.sql"))[0]
    report("typed", *row[:3], sum(value is not None for value in row))


def survey(ask):
    connected(ask)
    listed(ask)
    read(ask)
    typed(ask)
