using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Runs;
using Godwit.Server.Access;
using Godwit.Workers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>A setting of the instance.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value now, without the secrets in it.</param>
/// <param name="IsDefault">Whether it is the default.</param>
/// <param name="Definition">What it is for, its type, default and bounds.</param>
public sealed record Setting(string Name, string Value, bool IsDefault, Parameter Definition);

/// <summary>Another value for a setting.</summary>
/// <param name="Value">The value as a person writes it.</param>
public sealed record NewValue(string Value);

/// <summary>How the instance is run.</summary>
internal static class SettingRoutes
{
    public static void MapSettings(this IEndpointRouteBuilder api)
    {
        var settings = api.MapGroup("/settings").WithTags("Settings");
        settings.MapGet("/", ListAsync).WithName("listSettings");
        settings.MapGet("/{name}", ReadAsync).WithName("readSetting");
        settings.MapPut("/{name}", SetAsync).WithName("setSetting").RequireAuthorization(Policies.Operator);
        settings.MapDelete("/{name}", UnsetAsync).WithName("unsetSetting").RequireAuthorization(Policies.Operator);
        settings.MapPost("/notify/test", TestAsync).WithName("testNotifications").RequireAuthorization(Policies.Operator);
    }

    /// <summary>Lists the settings.</summary>
    public static async Task<Ok<Page<Setting>>> ListAsync(Migrator migrator, [AsParameters] Paging paging, CancellationToken ct)
    {
        var settings = await migrator.SettingsAsync(ct);
        return TypedResults.Ok(paging.Of("settings", WorkerSettings.Definitions.Select(d => Of(d, settings)), s => s.Name));
    }

    /// <summary>Tells a setting.</summary>
    /// <param name="name">The setting.</param>
    public static async Task<Ok<Setting>> ReadAsync(Migrator migrator, string name, CancellationToken ct) => TypedResults.Ok(await FindAsync(migrator, name, ct));

    /// <summary>Changes a setting; workers obey it from their next look on.</summary>
    /// <param name="name">The setting.</param>
    public static async Task<Ok<Setting>> SetAsync(Migrator migrator, string name, Body<NewValue> body, HttpContext http, CancellationToken ct)
    {
        _ = Require(name);
        await SettingDoor.SetAsync(migrator, http, name, body.Value.Value);
        return TypedResults.Ok(await FindAsync(migrator, name, ct));
    }

    /// <summary>Gives a setting its default back.</summary>
    /// <param name="name">The setting.</param>
    public static async Task<Ok<Setting>> UnsetAsync(Migrator migrator, string name, HttpContext http, CancellationToken ct)
    {
        _ = Require(name);
        await SettingDoor.SetAsync(migrator, http, name, null);
        return TypedResults.Ok(await FindAsync(migrator, name, ct));
    }

    /// <summary>Sends a test to everybody whom the setting notify names, once, and says what came of it.</summary>
    public static async Task<Ok<IReadOnlyList<NotificationTest>>> TestAsync(Migrator migrator, HttpContext http, CancellationToken ct)
    {
        var tests = await migrator.TestNotificationsAsync(Policies.ActorOf(http).Name, ct);
        if (tests.Count == 0)
        {
            throw new WrongStateException("The setting notify names nobody: set it first, as in `godwit settings --set notify=env:SLACK_HOOK`.");
        }

        await migrator.RecordAsync(Policies.ActorOf(http), "test notify", "notify", $"{tests.Count(t => t.Problem is null)} of {tests.Count} took it", ct);
        return TypedResults.Ok(tests);
    }

    private static async Task<Setting> FindAsync(Migrator migrator, string name, CancellationToken ct) => Of(Require(name), await migrator.SettingsAsync(ct));

    private static Parameter Require(string name) => WorkerSettings.Definitions.FirstOrDefault(d => d.Name == name) ?? throw new NothingThereException(WorkerSettings.Problems(name, "")[0]);

    private static Setting Of(Parameter definition, WorkerSettings settings)
    {
        var value = settings.Texts[definition.Name];
        return new Setting(definition.Name, value, value == definition.Default, definition);
    }
}
