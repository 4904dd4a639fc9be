"""How aware are pretrained models of themselves, before any training?"""
