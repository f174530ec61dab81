namespace Godwit.ClickHouse;

/// <summary>One statement on its way to a server: its SQL and rows in the body, everything else in the URL.</summary>
internal sealed class Statement(string sql, QueryOptions options, HttpContent? rows = null, bool isStream = false)
{
    public string Sql => sql;

    public QueryOptions Options => options;

    public HttpContent? Rows => rows;

    /// <summary>A stream's rows come while the statement still runs, so that its status code says nothing about its end.</summary>
    public bool IsStream => isStream;

    public string Path
    {
        get
        {
            var parameters = new List<string>
            {
                Parameter("default_format", TabSeparated.Format),
                Parameter("wait_end_of_query", isStream ? "0" : "1"),
            };
            AddIfGiven(parameters, "query_id", options.QueryId);
            AddIfGiven(parameters, "session_id", options.SessionId);
            AddIfGiven(parameters, "database", options.Database);
            parameters.AddRange((options.Settings ?? new Dictionary<string, string>()).Select(s => Parameter(s.Key, s.Value)));
            return "?" + string.Join('&', parameters);
        }
    }

    private static void AddIfGiven(List<string> parameters, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            parameters.Add(Parameter(name, value));
        }
    }

    private static string Parameter(string name, string value) => $"{Uri.EscapeDataString(name)}={Uri.EscapeDataString(value)}";
}
