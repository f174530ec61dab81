namespace Godwit.Server.Api;

/// <summary>Bodies of the main calls, as the OpenAPI document shows them.</summary>
internal static class ApiExamples
{
    private static readonly Dictionary<string, string> Bodies = new(StringComparer.Ordinal)
    {
        ["createRun"] = """{ "rebuild": { "table": "analytics.events", "orderBy": "(team_id, toDate(timestamp), event)" }, "options": { "deferCutover": true, "rollbackWindow": "PT48H" }, "start": true }""",
        ["planRebuild"] = """{ "rebuild": { "table": "analytics.events", "orderBy": "(team_id, toDate(timestamp), event)" } }""",
        ["estimateRebuild"] = """{ "rebuild": { "table": "analytics.events", "orderBy": "(team_id, toDate(timestamp), event)" }, "days": 14 }""",
        ["planMigration"] = """{ "parameters": { "days": "30" } }""",
        ["limitRun"] = """{ "rowsPerSecond": 200000 }""",
        ["setSetting"] = """{ "value": "22:00-06:00" }""",
        ["addUser"] = """{ "name": "ada", "role": "Operator", "password": "a few words in a row" }""",
        ["makeToken"] = """{ "user": "ada", "name": "nightly job", "role": "Operator", "days": 90 }""",
    };

    /// <summary>The body of an operation; null when it has none that needs to be shown.</summary>
    public static string? Of(string? operation) => Bodies.GetValueOrDefault(operation ?? "");
}
