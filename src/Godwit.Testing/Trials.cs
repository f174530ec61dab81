using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Testing;

/// <summary>Makes one trial after the other.</summary>
/// <param name="engine">The server.</param>
/// <param name="make">Makes the migration anew.</param>
/// <param name="checkup">What the world looks like before.</param>
/// <param name="ct">Stops everything.</param>
internal sealed class Trials(LabEngine engine, Func<Migration> make, MigrationCheckup checkup, CancellationToken ct)
{
    /// <summary>The migration's name.</summary>
    public string Name { get; } = make().Name;

    /// <summary>What the world looks like before, and what is compared.</summary>
    public MigrationCheckup Checkup => checkup;

    /// <summary>The server.</summary>
    public LabEngine Engine => engine;

    /// <summary>Stops everything.</summary>
    public CancellationToken Ct => ct;

    /// <summary>How many there have been.</summary>
    public int Count { get; private set; }

    /// <summary>Makes the world anew.</summary>
    /// <exception cref="MigrationFaultException">It cannot be made.</exception>
    public async Task<Trial> BeginAsync()
    {
        Count++;
        await new World(engine, ct).ClearAsync();
        var clock = new LabClock();
        var store = await SqliteStore.OpenAsync(Path.Combine(engine.Folder, $"{Guid.NewGuid():N}.db"), clock, ct: ct);
        try
        {
            foreach (var (statement, i) in checkup.Setup.Select((s, i) => (s, i)))
            {
                await SetUpAsync($"statement {i + 1} of the setup: {statement}", () => engine.Gateway.ExecuteAsync(statement, ct: ct));
            }

            await (checkup.Prepare?.Invoke(engine.Gateway, ct) ?? Task.CompletedTask);
            var trial = new Trial(this, store, clock);
            foreach (var earlier in checkup.Before)
            {
                var end = await trial.ForwardAsync(earlier.Name);
                Require(end.Status?.State == RunState.Completed, $"{earlier.Name}, which is to be done before", end.Problem);
            }

            return trial;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a process knows. What the migrations depend on and nobody gave counts as done.</summary>
    public MigratorOptions Options(TimeProvider clock)
    {
        List<Migration> migrations = [make(), .. checkup.Before];
        var others = migrations.SelectMany(m => m.DependsOn).Except(migrations.Select(m => m.Name), StringComparer.Ordinal)
            .Select(name => new Done(name));
        return new MigratorOptions
        {
            Migrations = new MigrationSet([.. migrations, .. others]),
            PostgreSql = checkup.PostgreSql,
            AppVersion = checkup.AppVersion,
            Clock = clock,
        };
    }

    private async Task SetUpAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (ClickHouseException e)
        {
            Require(false, what, e.Message);
        }
    }

    private void Require(bool condition, string what, string? problem)
    {
        if (!condition)
        {
            throw new MigrationFaultException(Name, [new MigrationFault($"When the world was made, {what}", problem ?? "It did not end well.")]);
        }
    }

    private sealed class Done(string name) : Migration
    {
        public override string Name => name;

        public override string Description => "Counts as done";

        public override Task<Requirement> IsRequiredAsync(MigrationContext context, CancellationToken ct) =>
            Task.FromResult(new Requirement(false, "The lab says so."));

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations();
    }
}
