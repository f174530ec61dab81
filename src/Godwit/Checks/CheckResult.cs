namespace Godwit.Checks;

/// <summary>What a check found.</summary>
public enum CheckVerdict
{
    /// <summary>Nothing in the way.</summary>
    Ok,

    /// <summary>Something a person should know; it does not stop the run.</summary>
    Warning,

    /// <summary>The run must not start.</summary>
    Refused,

    /// <summary>It could not be found out; counts as refused.</summary>
    Unreadable,
}

/// <summary>The answer of one check: what was found and, unless it is ok, what to do.</summary>
/// <param name="Check">The check's name, such as <c>free-disk</c>.</param>
/// <param name="Verdict">What it found.</param>
/// <param name="Message">One or two sentences for a person.</param>
public sealed record CheckResult(string Check, CheckVerdict Verdict, string Message)
{
    /// <summary>Whether this result keeps a run from starting.</summary>
    public bool Blocks => Verdict is CheckVerdict.Refused or CheckVerdict.Unreadable;

    /// <summary>The sentences of those that do not keep a run from starting and that somebody should know.</summary>
    internal static IReadOnlyList<string> Warnings(IEnumerable<CheckResult> results) => [.. results.Where(r => r.Verdict == CheckVerdict.Warning).Select(r => r.Message)];
}

/// <summary>Checks refused a run before anything was changed. Lists all that is wrong, not only the first.</summary>
public sealed class RefusedException(IReadOnlyList<CheckResult> results)
    : Exception(string.Join(Environment.NewLine, results.Where(r => r.Blocks).Select(r => r.Message)))
{
    /// <summary>All results, the good ones too.</summary>
    public IReadOnlyList<CheckResult> Results { get; } = results;
}

/// <summary>The input itself is wrong (not the state of the server); nothing was changed.</summary>
public sealed class InvalidRequestException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>All problems, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
