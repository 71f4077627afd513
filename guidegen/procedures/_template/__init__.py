"""A procedure to copy: the smallest one that runs through the whole flow.

It plans one straight drill channel down each left pedicle and prints the vertebra for practice. To
make a procedure of your own:

1. copy this folder to ``guidegen/procedures/your_procedure`` and rename the classes;
2. write what differs: ``settings.py`` (every number with unit, reason, source), ``plan.py`` (from
   anatomy to paths), ``guide.py`` (from plan to parts), ``checks.py`` (from parts to findings);
3. add one line to ``guidegen/procedures/registry.py``;
4. copy the template's test (``tests/unit/procedures/test_template.py``).

Import stages (``anatomy``, ``planning``, ``cad`` ...), never another procedure: what two procedures
need moves down a layer.
"""

from guidegen.procedures._template.procedure import Template

__all__ = ["Template"]
