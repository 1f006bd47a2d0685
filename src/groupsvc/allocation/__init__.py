"""Who should be in which group: problems, engines and what they answer. No I/O but in ``runner``.

``problem`` says what is asked, ``solve`` chooses an engine, ``outcome`` is what comes back, and
``verification`` checks it without any solver.
"""
