using Godwit.Checks;

namespace Godwit.Migrations;

/// <summary>When a check is asked.</summary>
public enum CheckScope
{
    /// <summary>Before the first step.</summary>
    Precheck,

    /// <summary>Before the first step, and then again and again while the run is at work; what it refuses stops the run.</summary>
    Healthcheck,

    /// <summary>Before names change hands and before anything that cannot be undone.</summary>
    Gate,

    /// <summary>After the last step.</summary>
    Postcheck,
}

/// <summary>A named question about the instance. It reads, it changes nothing; what cannot be read counts as refused.</summary>
/// <param name="Name">Its name in results, such as <c>free-disk</c>.</param>
/// <param name="Scope">When it is asked.</param>
/// <param name="AskAsync">Asks it.</param>
public sealed record MigrationCheck(string Name, CheckScope Scope, Func<MigrationContext, CancellationToken, Task<CheckAnswer>> AskAsync);

/// <summary>What a check found.</summary>
/// <param name="Verdict">Whether it stands in the way.</param>
/// <param name="Message">One or two sentences for a person: what was found and, unless it is ok, what to do.</param>
public sealed record CheckAnswer(CheckVerdict Verdict, string Message)
{
    /// <summary>Nothing is in the way.</summary>
    public static CheckAnswer Ok(string message = "") => new(CheckVerdict.Ok, message);

    /// <summary>Something that a person should know; it stops nothing.</summary>
    public static CheckAnswer Warn(string message) => new(CheckVerdict.Warning, message);

    /// <summary>The migration must not go on.</summary>
    public static CheckAnswer Refuse(string message) => new(CheckVerdict.Refused, message);

    /// <summary><see cref="Ok"/> or <see cref="Refuse"/>.</summary>
    public static CheckAnswer Require(bool condition, string otherwise) => condition ? Ok() : Refuse(otherwise);
}

/// <summary>Whether an instance needs a migration, and why.</summary>
/// <param name="IsNeeded">Whether it does; a migration that is not needed counts as done.</param>
/// <param name="Why">One sentence for a person.</param>
public sealed record Requirement(bool IsNeeded, string Why)
{
    /// <summary>Whether it could be found out; what could not counts as needed.</summary>
    internal bool IsKnown { get; init; } = true;
}
