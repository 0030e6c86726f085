"""The stores: each vendor in its one module, behind the ports."""
