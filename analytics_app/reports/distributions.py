"""Quantiles and tails of the distributions that the statistics need, from SciPy's special functions.

`scipy.stats` would take 50 MiB and half a second of every process that can show a report. What is imported here is
imported when the first number is asked for.
"""


def normal_quantile(p: float) -> float:
    from scipy import special

    return float(special.ndtri(p))


def t_quantile(p: float, df: float) -> float:
    from scipy import special

    return float(special.stdtrit(df, p))


def t_beyond(t: float, df: float) -> float:
    """The probability of a t above `t`."""
    from scipy import special

    return float(special.stdtr(df, -t))


def f_beyond(f: float, numerator_df: float, denominator_df: float) -> float:
    """The probability of an F above `f`."""
    from scipy import special

    return float(special.fdtrc(numerator_df, denominator_df, f))


def chi2_beyond(chi2: float, df: float) -> float:
    """The probability of a chi-square above `chi2`."""
    from scipy import special

    return float(special.chdtrc(df, chi2))


def chi2_quantile(p: float, df: float) -> float:
    from scipy import special

    return float(special.chdtri(df, 1 - p))


def noncentrality(p: float, df: float, t: float) -> float:
    """The noncentrality of the t distribution of which a share `p` lies below `t`."""
    from scipy import special

    return float(special.nctdtrinc(df, p, t))
