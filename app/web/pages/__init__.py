"""The pages people use: plain HTML from the server, the same with and without scripts.

Each page is a line of the table in :mod:`app.web.pages.routes`, a function that takes a
Visit, and a template.
"""
