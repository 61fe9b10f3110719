"""The representations that `prepare` trains, by name, as module:class, imported when one is asked for."""

REPRESENTATIONS = {
    "identity": "bench.representations.identity:Identity",
    "pca": "bench.representations.pca:PCA",
    "vae": "bench.representations.vae:VAE",
}
