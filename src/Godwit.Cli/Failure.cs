using Godwit.Checks;
using Godwit.Cli.Rendering;
using Godwit.ClickHouse;
using Godwit.Engine;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Cli;

/// <summary>Why a verb did not do what it was asked to: for people, for scripts, and as an exit code.</summary>
/// <param name="Code">usage, refused, failed, needsOperator or interrupted.</param>
/// <param name="ExitCode">See <see cref="ExitCodes"/>.</param>
/// <param name="Problems">All that is wrong, a sentence each.</param>
/// <param name="Hint">What may help, on stderr only.</param>
internal sealed record Failure(string Code, int ExitCode, IReadOnlyList<string> Problems, string? Hint = null)
{
    /// <summary>A wrong command line.</summary>
    public static Failure Usage(IReadOnlyList<string> problems, string? hint = null) => new("usage", ExitCodes.Usage, problems, hint);

    /// <summary>Ended by a signal, or by a person who said no.</summary>
    public static Failure Interrupted(string sentence) => new("interrupted", ExitCodes.Interrupted, [sentence]);

    /// <summary>Checks that block.</summary>
    public static Failure Refused(IEnumerable<CheckResult> results)
    {
        List<string> problems = [.. results.Where(r => r.Blocks).Select(r => r.Message)];
        return new("refused", ExitCodes.Refused, problems.Count > 0 ? problems : ["There is no plan for this, and no check says why."]);
    }

    /// <summary>The failures that are expected; null for a defect.</summary>
    public static Failure? From(Exception exception) => exception switch
    {
        InvalidRequestException e => Usage(e.Problems),
        RefusedException e => Refused(e.Results),
        DefinitionException e => Usage([.. e.Problems.Select(p => p.ToString())]),
        RunNotFoundException e => Usage([e.Message]),
        WrongStateException or RunConflictException or LeaseHeldException => new("refused", ExitCodes.Refused, [exception.Message]),
        ClickHouseException or StoreException or StoredFormatException or LeaseLostException
            or EngineStartException or IOException or UnauthorizedAccessException => new("failed", ExitCodes.Failed, [exception.Message]),
        OperationCanceledException => Interrupted("Interrupted. `godwit runs` shows the runs there are and their states."),
        AggregateException { InnerExceptions: [var inner] } => From(inner),
        _ => null,
    };

    /// <summary>Something that Godwit's authors did not foresee.</summary>
    public static Failure Defect(Exception exception) => new(
        "failed",
        ExitCodes.Failed,
        [$"Godwit met an error that it does not know ({exception.GetType().Name}: {exception.Message}). Your runs are kept in the state file. Please report this line, with the command, to Godwit's issue tracker."]);

    /// <summary>What stderr shows.</summary>
    public string ToText()
    {
        var text = Problems is [var only]
            ? $"godwit: {only}"
            : string.Join('\n', Problems.Select(p => $"  - {p}").Prepend($"godwit: {Problems.Count} problems:"));
        return Plain.Clean(Hint is null ? text : $"{text}\n{Hint}");
    }

    /// <summary>What the document holds under <c>error</c>.</summary>
    public object ToDocument() => new { code = Code, message = string.Join(' ', Problems), problems = Problems };
}
