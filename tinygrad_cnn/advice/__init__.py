"""The longer error messages of the engine, which say what to write instead.

arguments      of transforms and primitives
refusals       an error whose text is worked out when it is shown, from the call that led to it
callers        whose code that call is in, and how Tensors get through it
expressions    the call as an expression of the file; functions: what is called
wording        what would be lost, in the words of the expression, and the ways of keeping it
lost_gradients the texts, by causes: calls, assignments, libraries; lacking_rules; hints, on errors of others
"""
