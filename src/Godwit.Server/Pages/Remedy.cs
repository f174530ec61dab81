using System.Globalization;
using System.Text.RegularExpressions;

namespace Godwit.Server.Pages;

/// <summary>What is most probably behind an error of ClickHouse, and what helps. The codes are those of its ErrorCodes.cpp.</summary>
/// <param name="Cause">The likely cause.</param>
/// <param name="Cure">What to do.</param>
internal sealed partial record Remedy(string Cause, string Cure)
{
    private static readonly Dictionary<int, Remedy> ByCode = new()
    {
        [36] = new("An argument or a setting is not one that this server accepts.", "Read its words: they name it. A migration needs another definition; a rebuild needs another wish."),
        [47] = new("A column or a name in the statement does not exist.", "Look whether somebody has renamed or dropped it since the plan was made; then roll back and plan again."),
        [60] = new("A table is gone that was there when the plan was made.", "Find out who dropped or renamed it. If it cannot come back, roll back and plan again."),
        [81] = new("A database is gone that was there when the plan was made.", "Find out who dropped or renamed it. If it cannot come back, roll back and plan again."),
        [159] = new("A statement took longer than it was allowed to.", "Raise the timeout of the step or of the user's profile, or try again when there is less load."),
        [164] = new("The user of ClickHouse may only read.", "Give Godwit a user whose profile is not readonly."),
        [202] = new("The server runs as many queries at once as it may.", "Wait until there is less load, or raise max_concurrent_queries; then resume."),
        [209] = new("The server or the network was too slow to answer.", "Look at the load of the node and at the network; then resume."),
        [210] = new("The server could not be reached, or reach another one.", "Look whether the node is up and its port open; then resume."),
        [241] = new("The server, or the limit of the user, has too little memory for this statement.", "Run it with --memory or --threads lower, or free memory on the server; then resume."),
        [242] = new("The replicated table is read-only: its node has lost Keeper or ZooKeeper.", "Bring Keeper back; the table becomes writable by itself. Then resume."),
        [243] = new("A disk of the server is full, or nearly.", "Free disk, for example by cleaning up completed runs; then resume."),
        [252] = new("The table has more parts than merges can keep up with.", "Let merges catch up (Tables shows them), then resume; a speed limit keeps it from coming back."),
        [341] = new("A mutation did not finish in time.", "Look at the mutations of the table (Tables shows them and why they fail)."),
        [359] = new("The server refuses to drop something this large.", "Godwit lifts that limit for its own tables. For yours, raise max_table_size_to_drop or drop it by hand."),
        [394] = new("Somebody or something killed the query.", "If it was not you, look for a watchdog that kills long queries, and spare those whose query_id begins with godwit-. Then resume."),
        [473] = new("Another statement held the table's lock for too long.", "Look for long ALTERs and mutations on the table; then resume."),
        [497] = new("The user of ClickHouse lacks a right.", "Its words say which: GRANT it, then resume."),
        [516] = new("The name or the password of the ClickHouse user is wrong.", "Correct what the server was started with, start it again, and resume."),
        [999] = new("Keeper or ZooKeeper does not answer the server.", "Bring it back; then resume."),
    };

    /// <summary>What fits a server's words; null when nothing is known to.</summary>
    public static Remedy? Of(string words) =>
        CodeForm().Match(words) is { Success: true } match && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? ByCode.GetValueOrDefault(code)
            : null;

    [GeneratedRegex(@"\bcode:? (\d{1,4})\b", RegexOptions.IgnoreCase)]
    private static partial Regex CodeForm();
}
