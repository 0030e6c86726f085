"""Chat platforms: they translate and converse, and store nothing.

`platform` is what a platform is; `console` is one. `delivery` gives each message one answer, `conversation` makes it,
`commands` shows and forgets memories. `cli` puts it together.
"""
