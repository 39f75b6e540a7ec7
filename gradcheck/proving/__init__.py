"""What is shown exactly about claims, beside what is measured, where python-flint is installed (`gradcheck.exact`).

At a point where forward and a claim run exactly, the claim's formula is compared with the derivative's. What comes out
counts only where the exact run is about the same code as the run in floats: forward and claim are in floats what they
are exactly, and the exact derivative lies within the measured one's bound (`trust`). Then

- a claim that agrees is right for every input that takes the same branches, and what its measurement left unresolved is
  resolved, if the claim in floats keeps enough digits of it;
- a claim that is apart by more than rounded constants explain is wrong, also where no measurement can see it;
- a claim that is right loses so many digits in floats.

Code that rounds to a shorter float has stairs, which a measurement takes for its derivative: there a formula that is
shown exactly is right. What cannot be run exactly is only measured, for the reason that is said; nothing that goes
wrong in an exact run changes a verdict.
"""
