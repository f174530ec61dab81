using Godwit.Checks;
using Godwit.Metadata.Accounts;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Access;

/// <summary>Changes a setting for somebody, and keeps to what its role may say there; what is refused is kept, too.</summary>
internal static class SettingDoor
{
    /// <param name="migrator">Whose setting it is.</param>
    /// <param name="http">By whom.</param>
    /// <param name="name">The setting.</param>
    /// <param name="value">The value; null for the default.</param>
    /// <exception cref="InvalidRequestException">The value is not good.</exception>
    /// <exception cref="NotAllowedException">It is not for this role.</exception>
    public static async Task SetAsync(Migrator migrator, HttpContext http, string name, string? value)
    {
        var (who, ct) = (Policies.ActorOf(http), http.RequestAborted);
        try
        {
            if (value is not null && !Policies.Can(http.User, Role.Admin) && (await migrator.SettingsAsync(ct)).ReadsMore(name, value))
            {
                throw new NotAllowedException("Only an admin may name a file or an environment variable of the server's machine (env:, file:, password-env, password-file): what it holds is sent to the address.");
            }

            await migrator.SetAsync(name, value, who, ct);
        }
        catch (Exception e) when (e is InvalidRequestException or NotAllowedException)
        {
            await migrator.RecordAsync(who, "set refused", name, e.Message.ReplaceLineEndings(" "), ct);
            throw;
        }
    }
}
