using Godwit.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Godwit.Server.Access;

/// <summary>Notes what somebody tried who may not: in the log always, and in the audit trail when it was to change something.</summary>
internal sealed class Refusals(Migrator migrator, ILogger<Refusals> log)
{
    public async Task NoteAsync(HttpContext http)
    {
        var who = Policies.ActorOf(http);
        var (role, method, path) = ($"{Policies.RoleOf(http.User)}", Plain.Clean(http.Request.Method), Plain.Clean(http.Request.Path.ToString()));
        log.Forbidden(who.Name, role, who.From!, method, path);
        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            await migrator.RecordAsync(who, "refused", path.Length > 200 ? path[..200] : path, $"{method} by {role}", http.RequestAborted);
        }
    }
}
