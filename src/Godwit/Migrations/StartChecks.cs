using Godwit.Checks;
using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>Everything that must hold before the first step of a migration. Asked when it is proposed, and again when it starts.</summary>
internal static class StartChecks
{
    /// <summary>All of it; all is told, not only the first.</summary>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(RunHost host, RunningMigration migration, CancellationToken ct) =>
    [
        .. AppVersion(host, migration.Definition),
        .. await ServicesAsync(host, migration.Definition, ct),
        .. await DependenciesAsync(host, migration.Definition, ct),
        .. await CheckRunner.AskAsync(migration, ct, CheckScope.Precheck, CheckScope.Healthcheck),
    ];

    private static IEnumerable<CheckResult> AppVersion(RunHost host, Migration definition)
    {
        if (definition.Versions == VersionWindow.Any)
        {
            yield break;
        }

        yield return host.AppVersion switch
        {
            null => new CheckResult("app-version", CheckVerdict.Refused, $"{definition.Name} runs in certain versions of the application ({definition.Versions}): say which one this is with --app-version."),
            var version when definition.Versions.Contains(version) => new CheckResult("app-version", CheckVerdict.Ok, $"The application is {version} ({definition.Versions} wanted)."),
            var version => new CheckResult("app-version", CheckVerdict.Refused, $"{definition.Name} runs in the application {definition.Versions}; this one is {version}."),
        };
    }

    private static async Task<IEnumerable<CheckResult>> ServicesAsync(RunHost host, Migration definition, CancellationToken ct)
    {
        List<CheckResult> results = [];
        foreach (var requirement in definition.Requires)
        {
            var name = $"{requirement.Service.ToString().ToLowerInvariant()}-version";
            var (version, problem) = await ServiceVersions.ReadAsync(host, requirement.Service, ct);
            results.Add(version switch
            {
                null => new CheckResult(name, CheckVerdict.Unreadable, $"{definition.Name} needs {requirement.Service} {requirement.Versions}: {problem}"),
                _ when requirement.Versions.Contains(version) => new CheckResult(name, CheckVerdict.Ok, $"{requirement.Service} is {version} ({requirement.Versions} wanted)."),
                _ => new CheckResult(name, CheckVerdict.Refused, $"{definition.Name} needs {requirement.Service} {requirement.Versions}; this one is {version}."),
            });
        }

        return results;
    }

    private static async Task<IEnumerable<CheckResult>> DependenciesAsync(RunHost host, Migration definition, CancellationToken ct)
    {
        List<CheckResult> results = [];
        var ledger = new MigrationLedger(host);
        foreach (var name in definition.DependsOn)
        {
            var (done, state) = await ledger.IsDoneAsync(host.Migrations.Find(name)!, ct);
            results.Add(done
                ? new CheckResult($"depends-on {name}", CheckVerdict.Ok, $"{name} is done ({state}).")
                : new CheckResult($"depends-on {name}", CheckVerdict.Refused, $"{definition.Name} depends on {name}, which is {state}: `godwit migrations run {name}` first."));
        }

        return results;
    }
}
