using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>A migration as <c>godwit migrations list</c> shows it.</summary>
public sealed record MigrationOverview
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for; null when its definition is gone.</summary>
    public string? Description { get; init; }

    /// <summary>Where it is on this instance: the state of its newest run, NotRequired, or NotStarted.</summary>
    public required RunState State { get; init; }

    /// <summary>Its newest run; null before the first.</summary>
    public string? RunId { get; init; }

    /// <summary>Whether this instance needs it (or needed it, when it was run).</summary>
    public bool IsRequired { get; init; }

    /// <summary>Why it is required or not.</summary>
    public string? Why { get; init; }

    /// <summary>The versions of the application in which it may run.</summary>
    public string? Versions { get; init; }

    /// <summary>The migrations that must be done before, and are not.</summary>
    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    /// <summary>Whether there is a run of it and its definition is gone: it is shown, and stands in nobody's way.</summary>
    public bool IsOrphaned { get; init; }

    /// <summary>Whether there is nothing left to do.</summary>
    public bool IsDone => State is RunState.Completed or RunState.NotRequired;
}
