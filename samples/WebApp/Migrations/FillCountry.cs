using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace WebApp.Migrations;

/// <summary>Its constructor takes a service of the application. It may be called again after it was cut off: the checkpoint tells how far it was.</summary>
public sealed class FillCountry(Countries countries) : Migration
{
    public override string Name => "0002_country";

    public override string Description => "Orders get the country of their telephone number";

    public override IReadOnlyList<string> DependsOn => ["0001_orders"];

    public override VersionWindow Versions => new() { From = "1.4.0", MustBeDoneBy = "1.6.0" };

    public override IReadOnlyList<MigrationCode> Code => [new("fill", FillAsync) { UndoAsync = (_, _) => Task.CompletedTask }];

    public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations(
        new SqlOperation("ALTER TABLE web.orders ADD COLUMN IF NOT EXISTS country LowCardinality(String)")
        {
            Undo = new(["ALTER TABLE web.orders DROP COLUMN IF EXISTS country"]),
        },
        new CodeOperation("fill"));

    private async Task FillAsync(CodeContext context, CancellationToken ct)
    {
        for (var i = context.FindCheckpoint<int>(); i < countries.All.Count; i++)
        {
            await context.PassBrakesAsync(ct);
            var (prefix, country) = countries.All[i];
            await context.ExecuteAsync(
                $"ALTER TABLE web.orders UPDATE country = {Sql.Literal(country)} WHERE startsWith(phone, {Sql.Literal(prefix)}) SETTINGS mutations_sync = 1", ct: ct);
            await context.CheckpointAsync(i + 1);
        }
    }
}
