using System.Collections;
using Godwit.Cli.Arguments;
using Godwit.ClickHouse;

namespace Godwit.Cli;

/// <summary>Everything of the machine that the command line looks at, so that tests can run it in-process.</summary>
internal sealed record CliEnvironment
{
    /// <summary>The environment variables.</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>Where a person answers.</summary>
    public required TextReader In { get; init; }

    /// <summary>Whether <see cref="In"/> is a terminal with a person before it.</summary>
    public bool IsInputTerminal { get; init; }

    /// <summary>Whether standard output is a terminal.</summary>
    public bool IsOutputTerminal { get; init; }

    /// <summary>Whether standard error is a terminal.</summary>
    public bool IsErrorTerminal { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Connects to the server (nothing is sent yet) and opens the state file; the flag says whether to create it.</summary>
    public Func<ClickHouseOptions, string, bool, MigratorOptions, CancellationToken, Task<IMigrator>> OpenMigrator { get; init; } = OpenAsync;

    /// <summary>Whether text may carry colours.</summary>
    public bool Colors => Variable("NO_COLOR") is null && !IsDumb;

    /// <summary>Whether the terminal cannot move its cursor.</summary>
    public bool IsDumb => Variable("TERM") is "dumb";

    /// <summary>Who uses the command, for the audit trail: <c>ada@host</c>.</summary>
    public string Who => $"{Variable("USER") ?? Environment.UserName}@{Environment.MachineName}";

    /// <summary>The environment of this process.</summary>
    public static CliEnvironment OfProcess() => new()
    {
        Variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal),
        In = Console.In,
        IsInputTerminal = !Console.IsInputRedirected,
        IsOutputTerminal = !Console.IsOutputRedirected,
        IsErrorTerminal = !Console.IsErrorRedirected,
    };

    /// <summary>A variable; null when it is unset or empty.</summary>
    public string? Variable(string name) => Variables.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    private static async Task<IMigrator> OpenAsync(ClickHouseOptions server, string stateFile, bool create, MigratorOptions options, CancellationToken ct)
    {
        var store = await StoreAddress.OpenAsync(stateFile, create, ct);
        return new OwnedMigrator(new ClickHouseGateway(server), store, options);
    }
}
