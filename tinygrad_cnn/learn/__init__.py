"""Lessons in which each line of a backward pass is checked as it is written.

To be read in this order: blanks, course, outcome, differences, modules, gradients, judge, running,
words, lesson, folder, screen, report, magics, notebooks.
"""
