"""What a family of ops is written with: the registry and its decorator, shape rules, array namespaces, the builder."""

from regraft.opkit import operators as operators
