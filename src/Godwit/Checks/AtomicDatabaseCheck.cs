using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>EXCHANGE TABLES and table UUIDs exist only in databases with the engine Atomic; without them names change hands only while nothing writes.</summary>
internal sealed class AtomicDatabaseCheck : IRebuildCheck
{
    public string Name => "atomic-database";

    public Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct) => Task.FromResult<CheckResult?>(
        draft.Way == RebuildWay.Alter || draft.IsWhole || draft.Source.DatabaseEngine == "Atomic"
            ? this.Ok($"Database {draft.Source.Name.Database} is {draft.Source.DatabaseEngine}.")
            : this.Refuse(
                $"Database {draft.Source.Name.Database} has the engine {draft.Source.DatabaseEngine}, which cannot exchange two tables in one instant. "
                + "Move the table into a database with ENGINE = Atomic (RENAME TABLE does that without copying)."));
}
