"""Embeddings of sequences of ids."""

from __future__ import annotations

from typing import Any

from regraft.v1._array import concat, reshape, shape
from regraft.v1._graph import name_scope
from regraft.v1._indexing import gather
from regraft.v1._nn_embedding import embedding_lookup
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_prod
from regraft.v1._variable_scope import variable_scope
from regraft.v1.contrib._variables import model_variable

__all__ = ["embed_sequence", "embedding_lookup_unique"]


def embed_sequence(
    ids: Any,
    vocab_size: int | None = None,
    embed_dim: int | None = None,
    unique: bool = False,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """[batch, length, embed_dim]: the rows of a variable "embeddings" for ids [batch, length].

    unique  whether to look each id up once only
    raises  ValueError without both sizes, unless the variable is reused
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            "Must specify vocab size and embedding dimension when not reusing. "
            f"Got vocab_size={vocab_size} and embed_dim={embed_dim}"
        )
    with variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        sizes = None if (reuse and vocab_size is None) or embed_dim is None else [vocab_size, embed_dim]
        embeddings = model_variable(
            "embeddings", shape=sizes, initializer=initializer, regularizer=regularizer, trainable=trainable
        )
        return embedding_lookup_unique(embeddings, ids) if unique else embedding_lookup(embeddings, ids)


def embedding_lookup_unique(params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None) -> Any:
    """`tf.nn.embedding_lookup` that looks each id up once only, and then puts the rows where the ids are."""
    with name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        b = on(params, ids)
        ids = b.convert(ids)
        sizes = shape(ids)
        once, places = b.Unique(reshape(ids, reduce_prod(sizes, keepdims=True)))
        rows = embedding_lookup(params, once, partition_strategy)
        whole = concat([sizes, shape(rows)[1:]], 0)
        found = reshape(gather(rows, places), whole)
        found.set_shape(ids.shape.concatenate(rows.shape[1:]))
        return found
