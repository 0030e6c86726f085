"""What people do with their memories on every chat platform, by command, by button and from a message's menu.

Values in, values out: a platform says who asks (`asking`), and shows the sheet that comes of it (`sheets`) in its own
way; how it calls things stands in `ways`. Nothing here knows a payload, or answers anybody.
"""
