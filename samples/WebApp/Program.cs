using System.Text.Json.Serialization;
using Godwit;
using Godwit.Migrations;
using Godwit.Runs;
using WebApp;

var builder = WebApplication.CreateBuilder(args);
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new JsonStringEnumConverter()));
builder.Services.AddExceptionHandler<GodwitTroubles>().AddProblemDetails();
builder.Services.AddSingleton<Countries>();

// Where ClickHouse is and where runs are kept stands in appsettings.json, and in production in the environment.
builder.Services.AddGodwit(godwit =>
{
    godwit.AppVersion = "1.4.0";
    godwit.Migrations.AddAssembly(typeof(Program).Assembly).AddPath("Migrations");
});

var app = builder.Build();
app.UseExceptionHandler();
app.MapHealthChecks("/health", new() { ResponseWriter = HealthPage.WriteAsync });

// These change data: in a product, let only those people in who may do that.
var migrations = app.MapGroup("/migrations");
migrations.MapGet("/", (Migrator migrator, CancellationToken ct) => migrator.MigrationsAsync(ct));
migrations.MapPost("/{name}/runs", async (string name, Migrator migrator, CancellationToken ct) =>
{
    var options = new RunOptions();
    var proposal = await migrator.ProposeAsync(new MigrationRequest(name), options, ct);
    if (proposal.Plan is null)
    {
        return Results.Problem(string.Join(' ', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message)), statusCode: StatusCodes.Status409Conflict);
    }

    // The worker does it, in this process or in another one.
    var run = await migrator.CreateRunAsync(proposal.Plan, options, ct);
    await migrator.QueueAsync(run, who: "web", ct);
    return Results.Accepted($"/runs/{run}", new { run });
});
app.MapGet("/runs/{run}", (string run, Migrator migrator, CancellationToken ct) => migrator.StatusAsync(run, ct));
app.Run();
