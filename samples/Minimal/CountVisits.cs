using Godwit.Migrations;
using Godwit.Operations;

namespace Minimal;

/// <summary>Every public class that derives from Migration is one.</summary>
public sealed class CountVisits : Migration
{
    public override string Name => "0001_visits";

    public override string Description => "Visits are counted by day";

    public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(
        new SqlOperation(
            "CREATE DATABASE IF NOT EXISTS minimal ENGINE = Atomic",
            "CREATE TABLE IF NOT EXISTS minimal.visits (day Date, n UInt64) ENGINE = SummingMergeTree ORDER BY day")
        {
            Undo = new(["DROP DATABASE IF EXISTS minimal SYNC"]),
        });
}
