using Godwit.Migrations;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Tests;

/// <summary>What is special about a server of a test; the defaults are a worker, no migrations and a state of its own.</summary>
public sealed record ServerSetup
{
    /// <summary>Whether it works on runs; false is <c>--no-worker</c>.</summary>
    public bool RunsWorker { get; init; } = true;

    /// <summary>The state, a file or the address of a database, for several servers on one state; null for a new one that goes with the server.</summary>
    public string? State { get; init; }

    /// <summary>The migrations that it knows.</summary>
    public MigrationSet Migrations { get; init; } = MigrationSet.Empty;

    /// <summary>The version of the application.</summary>
    public string? AppVersion { get; init; }

    /// <summary>What it takes the time from.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Is given what it logs; null for nobody.</summary>
    public ILoggerProvider? Log { get; init; }

    /// <summary>Changes how it is reached; port and worker are set before.</summary>
    public Func<ServeOptions, ServeOptions> Options { get; init; } = options => options;
}
