"""The longer error messages of the engine, which say what to write instead.

arguments      of transforms and primitives
refusals       an error whose text is worked out when it is shown, from the call that led to it
expressions    that call, as an expression of the file
callers        whose code it is in, and how Tensors get through that
lost_gradients, lacking_rules, hints    the texts
"""
