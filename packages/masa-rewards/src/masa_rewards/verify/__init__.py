"""Verification: is a stated answer right?"""
