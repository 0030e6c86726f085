"""The providers of models: each vendor in its one module, behind the ports."""
